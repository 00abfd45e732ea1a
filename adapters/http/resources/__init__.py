"""The resources: one module a path, each with its routes, the shapes they take and answer, and nothing of another's."""
