"""Triage of incoming mail: labels, service, urgency, missing pieces, a draft. Nothing is sent."""
