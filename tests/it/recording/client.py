"""The client of Supabase that the example is given: its calls become SQL as PostgREST makes it."""

import json, subprocess, sys
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
from sync_run import sync_run

class Supabase:
    def rpc(self, function, arguments):
        quoted = lambda value: "null" if value is None else "'" + str(value).replace("'", "''") + "'"
        types = {"run_id": "bigint", "records_processed": "integer", "last_version": "bigint", "metadata": "jsonb", "run_key": "uuid"}
        named = ", ".join(
            f'"{name}" => {quoted(json.dumps(value) if name == "metadata" else value)}::{types.get(name, "text")}'
            for name, value in arguments.items()
        )
        sql = f"""begin; set local role service_role;
            select set_config('request.jwt.claims', '{{"role": "service_role"}}', true) \g /dev/null
            select public.{function}({named}); commit;"""
        return SimpleNamespace(execute=lambda: self.ask(sql))

    def ask(self, sql):
        done = subprocess.run([sys.argv[2], "-qAtX", "-v", "ON_ERROR_STOP=1", sys.argv[3]], input=sql, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        answer = done.stdout.strip()
        return SimpleNamespace(data=int(answer) if answer else None)

supabase = Supabase()
