# Runs inside the shop: a seller who ships, refunds and cancels what was ordered, and may be killed like everybody else.
import random
import time

from orders import lifecycle
from orders.models import Order
from payments import engine, settlement
from payments.models import Capture

rnd = random.Random()
while True:
    for order in Order.objects.filter(state="confirmed").order_by("?")[:3]:
        deed = rnd.random()
        try:
            if deed < 0.55:
                rest = lifecycle.unsent(order)
                some = dict.fromkeys(rest, 1) if deed < 0.15 and sum(rest.values()) > 1 else None
                lifecycle.ship(order, tracking_number=f"T{order.pk}", actor="seller", quantities=some)
                for row in order.captures.filter(state=Capture.State.REQUESTED):
                    settlement.collect(row)
            elif deed < 0.65 and (most := engine.refundable_amount(order)):
                engine.refund(order, max(1, most // 3), "partial", "seller")
            elif deed < 0.75:
                engine.cancel(order, actor="seller")
        except Exception as failed:  # whatever it is, the books are checked at the end
            print("seller:", type(failed).__name__, failed, flush=True)
    for order in Order.objects.filter(state="review").order_by("?")[:2]:
        if (deed := rnd.random()) < 0.3:
            engine.cancel(order, actor="seller")
        elif deed < 0.5:
            settlement.collect_now(order, actor="seller")
    time.sleep(0.4)
