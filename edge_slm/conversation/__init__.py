"""Conversation: questions that lean on earlier ones are made self-contained, by rules."""
