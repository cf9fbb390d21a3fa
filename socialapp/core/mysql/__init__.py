"""Django's database backend for MySQL, MariaDB and TiDB, with fewer round trips per query."""
