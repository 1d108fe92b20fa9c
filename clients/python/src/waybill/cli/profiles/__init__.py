"""Profiles: addresses of Waybill with the credentials that `waybill login` has stored."""
