from pathlib import Path

from django.db import migrations

from core.db.sql import install

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    operations = [install(SQL / "storage.sql"), install(SQL / "post_message.sql"), install(SQL / "members.sql")]
