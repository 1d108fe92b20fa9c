"""The command `waybill`: the API from a shell, built on the client."""
