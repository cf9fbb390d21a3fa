"""Django's database backend for MySQL, MariaDB and TiDB, with fewer questions between the questions."""
