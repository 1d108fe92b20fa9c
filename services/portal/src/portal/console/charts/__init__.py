"""Charts, drawn here as SVG."""
