"""Daily summaries: what a language model is asked for, and the search among what it said."""
