"""Calls removed posts so in the code; the table and its columns keep their names."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('posts', '0007_link_previews'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel(old_name='WithdrawnPost', new_name='RemovedPost'),
                migrations.RenameField(model_name='removedpost', old_name='withdrawn_at', new_name='removed_at'),
                migrations.AlterField(
                    model_name='removedpost',
                    name='removed_at',
                    field=models.DateTimeField(auto_now_add=True, db_column='withdrawn_at', db_index=True),
                ),
            ],
        ),
    ]
