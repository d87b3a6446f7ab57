-- What real-postgres asks: a table, 200 rows in, and a sum over them, each a round trip.
\set ON_ERROR_STOP on
CREATE TABLE orders (id int PRIMARY KEY, amount numeric);
SELECT format('INSERT INTO orders VALUES (%s, %s)', n, n * 1.5) FROM generate_series(1, 200) AS n \gexec
SELECT count(*), sum(amount) FROM orders;
