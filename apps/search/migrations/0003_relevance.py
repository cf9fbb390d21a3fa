"""What relevance and the newer filters need, forms of words in the full-text tables, and positions in the binlog."""

from django.db import migrations, models

# As in 0001.
TOKENIZER = """tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'\""""
TEXT_TABLES = {
    "search_posts_text": (f"fts5(text, stems, {TOKENIZER})", "text"),
    "search_profiles_text": (f"fts5(names, bio, variants, prefix='1 2 3', {TOKENIZER})", "names, bio"),
}


def add_text_columns(apps, schema_editor):
    """FTS5 cannot add a column: the tables are made anew. `manage.py search reindex` fills the new columns."""
    if schema_editor.connection.vendor != "sqlite":
        return
    for name, (definition, columns) in TEXT_TABLES.items():
        schema_editor.execute(f"CREATE VIRTUAL TABLE {name}_new USING {definition}", params=None)
        schema_editor.execute(
            f"INSERT INTO {name}_new (rowid, {columns}) SELECT rowid, {columns} FROM {name}", params=None
        )
        schema_editor.execute(f"DROP TABLE {name}", params=None)
        schema_editor.execute(f"ALTER TABLE {name}_new RENAME TO {name}", params=None)
    schema_editor.execute(
        "CREATE VIRTUAL TABLE search_posts_text_words USING fts5vocab(search_posts_text, col)", params=None
    )


def drop_words(apps, schema_editor):
    """The added columns may stay."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE search_posts_text_words", params=None)


class Migration(migrations.Migration):

    dependencies = [
        ("search", "0002_withdrawals"),
    ]

    operations = [
        migrations.AddField("indexedpost", "has_link", models.BooleanField(db_default=False, default=False)),
        migrations.AddField("indexedpost", "has_cw", models.BooleanField(db_default=False, default=False)),
        migrations.AddField("indexedpost", "language", models.CharField(db_default="", default="", max_length=2)),
        migrations.AddField("indexedpost", "reactions", models.PositiveBigIntegerField(db_default=0, default=0)),
        migrations.AddField("indexedpost", "engagement", models.PositiveBigIntegerField(db_default=0, default=0)),
        migrations.CreateModel(
            name="SyncPosition",
            fields=[
                ("source", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("position", models.TextField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={"db_table": "search_sync_positions"},
        ),
        migrations.RunPython(add_text_columns, drop_words),
    ]
