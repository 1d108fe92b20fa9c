"""`waybill-admin`: commands for operators that work on the stores directly."""
