"""Parts that all pages share: rendering, languages, assets, security headers, forms, errors."""
