"""The templates of the generated project, laid out as the project is."""
