"""What a job found, as JSON, Markdown, a web page and a model card."""
