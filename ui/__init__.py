"""The pages: everything a person sees. It never talks to a backend or the database itself."""
