"""Benchmarks of speed and memory, compared with other programs (peers). Nothing here is a test.

Running:

    make bench                              everything, 100,000 orders, SQLite
    ORDERS=1000000 DATABASE=both make bench the full run: an hour with nothing else on the machine
    make bench PARTS="list peers"           parts of it: core, list, expiring, preview, jobs, peers,
                                            browser, sync
    DATASET=varied make bench PARTS=list    the list on the orders of varied_orders.py

ORDERS is the number of orders in the index. DATABASE is sqlite, postgresql or both; the peers and
the browser are measured on SQLite. BENCH_DATA is the folder in which filled databases stay for the
next run: 8 GB for a million orders in both. ROUNDS, LIST_ROUNDS, BROWSER_ROUNDS and COMBINATIONS
are numbers of requests,
GOODY_ORDERS how many orders Goody has for the live pages.

Modules that measure:

    live_pages.py  the live list and detail beyond Goody's own time, and memory
    list_pages.py  the list from the index: the requests of list_requests.py, random
                   combinations, and requests during writes
    expiring_page.py  the page of expiring gifts
    bulk_preview.py  the preview of a bulk action, with as many orders as a selection takes
    job_runs.py    jobs: pace, cost of an item, memory, killed workers, the list beside a job
    peers.py       the list compared with Django's admin, Datasette, and a scan of the API
    browser_pages.py  the list in Chromium next to Django's admin and Datasette: painting, CPU time
                   of a page turn, bytes over the wire, elements
    sync_runs.py   a first sync compared with a pager that stores nothing, a sync without changes,
                   memory

`make lighthouse` (lighthouse.py) prints the scores of Lighthouse for the list and an order's page.

Reading the results: figures are milliseconds over HTTP through gunicorn unless they say otherwise,
of one client, signed in, warm, whole pages. "× bare" is the ratio to a signed-in view that returns
30 KB through the same gunicorn in the same run: machines differ, ratios less. "× 10,000" is the
ratio to the same request at that many orders. A goal is printed next to its figure with "met" or
"MISSED"; in long tables only those that were missed are shown. Goals were set for 1,000,000 orders
and a machine that does nothing else.

The rest: databases.py keeps the databases, and fill.py fills one with the emulator's orders or
those of varied_orders.py. request_values.py chooses the words, keys and positions of the requests.
index_writes.py writes into an index, new_job.py creates a job. peer_tables.py copies a database for
the peers, of which changelist/ is Django's admin. paint_times.py reads the browser's paint times.
serving.py runs the dashboard, timings.py measures, report.py prints.
"""
