from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rounds", "0001_contests")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE IF NOT EXISTS rounds_multiplayer_id AS bigint", reverse_sql=migrations.RunSQL.noop
        )
    ]
