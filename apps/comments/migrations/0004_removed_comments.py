"""Calls removed comments so in the code; the table and its columns keep their names."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('comments', '0003_tombstones'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel(old_name='WithdrawnComment', new_name='RemovedComment'),
                migrations.RenameField(model_name='removedcomment', old_name='withdrawn_at', new_name='removed_at'),
                migrations.AlterField(
                    model_name='removedcomment',
                    name='removed_at',
                    field=models.DateTimeField(auto_now_add=True, db_column='withdrawn_at', db_index=True),
                ),
            ],
        ),
    ]
