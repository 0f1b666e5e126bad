"""What is taught with the scenarios: which claim of the mail is seen where."""
