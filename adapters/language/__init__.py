"""Language models: Ollama, OpenRouter, which of them is asked, and the loop that gives them tools."""
