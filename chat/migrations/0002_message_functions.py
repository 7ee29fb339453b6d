from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    # A conversation's row changes with each message: room on its page keeps those updates heap-only, and eager
    # vacuuming keeps the page short.
    operations = [
        migrations.RunSQL(
            "ALTER TABLE chat_conversation SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02,"
            " autovacuum_vacuum_threshold = 200)",
            reverse_sql=migrations.RunSQL.noop,
        )
    ]
