"""Times as operations read them: sortable, to the second, on a 24-hour clock."""

DATETIME_FORMAT = "Y-m-d H:i:s"
SHORT_DATETIME_FORMAT = DATETIME_FORMAT
DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i:s"
