"""What the screens of architecture sessions share: the frame around a session, its pages, its dialogs, its list."""
