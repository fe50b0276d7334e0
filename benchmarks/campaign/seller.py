# Runs inside the shop: a seller who ships, refunds and cancels what was ordered, and may be killed like everybody else.
import random
import time

from django.db.models import Q
from orders import lifecycle
from orders.models import Order
from payments import engine

rnd = random.Random()
while True:
    for order in Order.objects.filter(state="confirmed").order_by("?")[:3]:
        deed = rnd.random()
        try:
            if deed < 0.5:
                lifecycle.ship(order, tracking_number=f"T{order.pk}", actor="seller")
            elif deed < 0.65:
                engine.refund(order, max(1, engine.refundable_amount(order) // 3), "partial", "seller")
            elif deed < 0.75:
                engine.cancel(order, actor="seller")
        except Exception as failed:  # whatever it is, the books are checked at the end
            print("seller:", type(failed).__name__, failed, flush=True)
    for order in Order.objects.filter(Q(state="review"))[:2]:
        if rnd.random() < 0.3:
            engine.cancel(order, actor="seller")
    time.sleep(0.4)
