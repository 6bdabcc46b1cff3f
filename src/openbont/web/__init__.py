"""The workbench: the path of a patient in the browser. No science here."""
