"""Documents as PDF: values in, bytes out; set by Typst, which fetches nothing."""
