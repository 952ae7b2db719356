"""Landbridge: integration middleware that joins the systems a company already owns."""
