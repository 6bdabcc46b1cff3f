"""What was really given and measured: records that nothing can lose."""
