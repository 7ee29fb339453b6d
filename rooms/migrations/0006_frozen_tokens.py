from pathlib import Path

from django.db import migrations

from gameplatform.core.sql import install

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("rooms", "0005_room_conversation"), ("payments", "0006_seal_functions")]

    operations = [
        # OUT parameters are part of a function's signature, which CREATE OR REPLACE cannot change.
        migrations.RunSQL(
            "DROP FUNCTION refund_session(bigint, uuid, timestamptz);"
            "DROP FUNCTION settle_session(bigint, bigint[], bigint[], uuid, timestamptz);",
            reverse_sql=migrations.RunSQL.noop,
        ),
        install(SQL / "leave_session.sql"),
        install(SQL / "close_session.sql"),
    ]
