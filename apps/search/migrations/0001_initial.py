"""The tables of the search index, and the full-text tables where the database is SQLite."""

import django.db.models.deletion
import socialapp.core.db
from django.db import migrations, models


# Tokens: letters, digits and the marks on them. The text is folded before it gets here (queries/language.py).
TOKENIZER = """tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'\""""
TEXT_TABLES = {
    "search_posts_text": f"fts5(text, {TOKENIZER})",
    "search_profiles_text": f"fts5(names, bio, prefix='1 2 3', {TOKENIZER})",
}


def make_text_tables(apps, schema_editor):
    """Elsewhere than on SQLite the text lies in Elasticsearch."""
    if schema_editor.connection.vendor == "sqlite":
        for name, definition in TEXT_TABLES.items():
            schema_editor.execute(f"CREATE VIRTUAL TABLE {name} USING {definition}", params=None)


def drop_text_tables(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for name in TEXT_TABLES:
            schema_editor.execute(f"DROP TABLE {name}")


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='IndexedPost',
            fields=[
                ('post_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('author_id', models.BigIntegerField(db_index=True)),
                ('version', models.PositiveBigIntegerField()),
                ('is_private', models.BooleanField()),
                ('has_media', models.BooleanField()),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'search_posts',
            },
        ),
        migrations.CreateModel(
            name='IndexedProfile',
            fields=[
                ('user_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('username', models.CharField(db_index=True, max_length=150)),
                ('version', models.PositiveBigIntegerField()),
                ('is_active', models.BooleanField()),
                ('is_private', models.BooleanField()),
                ('followers_count', models.PositiveBigIntegerField()),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'search_profiles',
            },
        ),
        migrations.CreateModel(
            name='Tombstone',
            fields=[
                ('id', socialapp.core.db.IdField(serialize=False)),
                ('kind', models.CharField(choices=[('post', 'Post'), ('user', 'User')], max_length=8)),
                ('doc_id', models.BigIntegerField()),
                ('deleted_at', models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={
                'db_table': 'search_tombstones',
                'constraints': [models.UniqueConstraint(fields=('kind', 'doc_id'), name='search_tombstone_once')],
            },
        ),
        migrations.CreateModel(
            name='IndexedHashtag',
            fields=[
                ('id', socialapp.core.db.IdField(serialize=False)),
                ('tag', models.CharField(max_length=255)),
                ('post', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hashtags', to='search.indexedpost')),
            ],
            options={
                'db_table': 'search_hashtags',
                'indexes': [models.Index(fields=['tag'], name='search_hashtag_tag')],
                'constraints': [models.UniqueConstraint(fields=('post', 'tag'), name='search_hashtag_once')],
            },
        ),
        migrations.RunPython(make_text_tables, drop_text_tables),
    ]
