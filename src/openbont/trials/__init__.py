"""Virtual trials: people who enter, arms they are given, what their raters read."""
