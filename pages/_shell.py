"""The script Streamlit runs: find out who is asking, draw the frame, run the screen, and turn errors into sentences."""

from pages._ui import chrome, errors, gate, journal, navigation, notices

with errors.boundary(), gate.entered() as actor, journal.rerun(actor), errors.boundary():
    chrome.configure(actor)
    page = navigation.for_actor(actor) if actor else navigation.for_visitor()
    journal.on(page.url_path)
    if actor:
        chrome.sidebar(actor)
        chrome.viewing(actor)
    notices.deliver()
    page.run()
