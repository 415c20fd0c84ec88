"""The contract of a generation service and one folder for each; never retries, sleeps or stores."""
