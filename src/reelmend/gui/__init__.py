"""The restoration desk in a browser. Needs the extra `[gui]`."""
