"""The floor: requests and COPY, nothing else. The next page's token is all that is looked at.

python -m benchmarks.floor API_URL DATABASE_URL
"""

import json
import sys
import time

import psycopg
import requests

PAGE = 100


def main() -> None:
    """Put each page, as it came, into one row of a json column."""
    api, database = sys.argv[1:3]
    began = time.perf_counter()
    params: dict[str, str | int] = {"limit": PAGE}
    pages = 0
    with requests.Session() as http, psycopg.connect(database) as connection:
        http.trust_env = False
        http.headers["Authorization"] = "Bearer pat-bench-0000"
        connection.execute("CREATE TABLE page (body json)")
        with connection.cursor() as cursor, cursor.copy("COPY page (body) FROM STDIN") as copy:
            while True:
                answer = http.get(f"{api}/crm/v3/objects/contacts", params=params, timeout=60)
                answer.raise_for_status()
                copy.write_row((answer.text,))
                pages += 1
                following = answer.text.rpartition('"after":"')
                if not following[1] or '"paging"' not in answer.text[-300:]:
                    break
                params["after"] = following[2].partition('"')[0]
    print(json.dumps({"steps": {"read and copy": time.perf_counter() - began}, "rows": {"pages": pages}}))


if __name__ == "__main__":
    main()
