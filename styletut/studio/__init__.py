"""The studio, a page in the browser: a photo, a style, a picture.

Nothing is imported here: how threads wait, and where files go, is said before
torch and Gradio are loaded.
"""
