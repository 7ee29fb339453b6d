from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from core.db.sql import install

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("rooms", "0005_frozen_tokens"), ("chat", "0002_message_functions")]

    operations = [
        migrations.AddField(
            model_name="room",
            name="conversation",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="room",
                to="chat.conversation",
            ),
        ),
        # OUT parameters are part of a function's signature, which CREATE OR REPLACE cannot change.
        migrations.RunSQL(
            "DROP FUNCTION join_session(bigint, bigint, bigint, bigint, text, uuid, uuid, timestamptz);"
            "DROP FUNCTION leave_session(bigint, bigint, text, uuid, timestamptz);",
            reverse_sql=migrations.RunSQL.noop,
        ),
        install(SQL / "join_session.sql"),
        install(SQL / "leave_session.sql"),
    ]
