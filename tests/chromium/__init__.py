"""A headless Chromium for tests of pages: how to speak to it, and what to ask of a page."""
