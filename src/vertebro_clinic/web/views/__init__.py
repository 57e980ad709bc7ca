"""Views: read the request, call a verb or a query, render."""
