"""The folders of the libraries as they lie on disk: walked, watched for changes, reached into without a way out, and
the sidecars beside the photos."""
