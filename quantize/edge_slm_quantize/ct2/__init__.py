"""CTranslate2 recipes: Whisper and translation models."""
