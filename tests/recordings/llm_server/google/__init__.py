"""Google's two APIs of Gemini."""
