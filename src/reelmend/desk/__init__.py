"""The restoration desk without its face: projects, pictures, findings and renders, for the GUI or any other."""
