"""The screens: one file each, thin. `_shell.py` is the script Streamlit runs, `_ui` holds what screens share."""
