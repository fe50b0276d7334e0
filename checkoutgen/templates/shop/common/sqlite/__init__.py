"""The engine of DATABASES. It takes the SQLite of pysqlite3 where that is installed: most systems have an older one
(common.checks says why that matters)."""

import sys

try:
    import pysqlite3
except ImportError:
    pass
else:
    sys.modules["sqlite3"] = pysqlite3  # which Django's backend imports next
