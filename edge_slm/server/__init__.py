"""The local server: HTTP in the shapes of OpenAI's API and of the State's Albert API."""
