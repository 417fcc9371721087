# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What may happen to a service. Each action is a function of the service and of a choice, a random number
generator of this step: what it chooses must not depend on what has happened, or no seed repeats it.
"""
import os
import signal
import time

from service import COPIES_MOST, PORTS
from world import Finding, guardians, is_gone, log, until


def pause(choice, most_s):
    time.sleep(choice.random() * most_s)


# ---- single things ----

def kill_copy(service, choice):
    """Any process of the server, new ones too."""
    programs, at = service.programs(), choice.random()
    if not programs:
        return
    program = programs[int(at * len(programs))]
    death = service.losses.killed([program], service.ports)
    log.say(f"  kills {program}")
    send(program, signal.SIGKILL)
    death.wait()


def kill_parent(service, choice):
    """Under the notify hook, reuse-run is the parent of each copy."""
    programs, at = service.programs(), choice.random()
    if not programs or service.hook != "notify":
        return
    program = programs[int(at * len(programs))]
    death = service.losses.killed([program], service.ports)
    parent = service.copy_of(program, {row["process"] for row in service.rows})
    if not parent:
        return
    log.say(f"  kills {parent}, the parent of {program}")
    send(parent, signal.SIGKILL)
    death.wait()


def kill_guardian(service, choice):
    for each in guardians():
        log.say(f"  kills the guardian, {each}")
        send(each, signal.SIGKILL)
        until(lambda each=each: is_gone(each), f"the guardian, {each}, lives on")


def send(process, number):
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass


def burst(service, choice):
    service.losses.clients.tell(f"burst {choice.choice(service.ports)} {choice.randrange(20, 200)}")


def freeze_copy(service, choice):
    """It hangs for a moment; what waits for it is answered later."""
    programs, at = service.programs(), choice.random()
    if programs:
        program = programs[int(at * len(programs))]
        log.say(f"  stops {program} for a moment")
        service.losses.frozen.add(program)
        send(program, signal.SIGSTOP)
        pause(choice, 1)
        send(program, signal.SIGCONT)


def freeze_supervisor(service, choice):
    """It does not see what happens meanwhile before it goes on."""
    service.signal(signal.SIGSTOP)
    choice.choice((kill_copy, burst, freeze_copy, kill_guardian))(service, choice)
    pause(choice, 0.5)
    service.signal(signal.SIGCONT)


def hang_up(service, choice):
    service.signal(signal.SIGHUP)


def one_more(service, choice):
    service.copies = None
    service.signal(signal.SIGTTIN)


def one_less(service, choice):
    service.copies = None
    service.signal(signal.SIGTTOU)


def number_of_copies(service, choice):
    return choice.randrange(max(1, service.queues), COPIES_MOST + 1)


def ask_to_scale(service, choice):
    """Whatever comes of it."""
    service.copies = None
    service.others.append(service.call("--scale", f"-n{number_of_copies(service, choice)}"))


def ask_to_roll(service, choice):
    service.others.append(service.call("--roll"))


def kill_supervisor(service, choice):
    service.kill_supervisor()
    service.start(choice)


def restart_supervisor(service, choice):
    service.stop_supervisor()
    service.start(choice)


def kill_stopping_supervisor(service, choice):
    death = service.expect_end(service.programs(), COPIES_MOST * 3)
    service.signal(signal.SIGTERM)
    pause(choice, 0.3)
    service.kill_while_it_stops()
    service.supervisor.wait()
    service.wait_for_the_end(death)
    service.start(choice)


# ---- what has an outcome ----

def roll(service, choice):
    before = service.programs()
    status, _ = service.finish(service.call("--roll"), *can_be_late(service))
    if status == 0:
        service.expect_new(before)


def can_be_late(service):
    """On a busy machine a copy may be given up that is not ready in time."""
    return (0, 1) if service.options.is_impatient else (0,)


def roll_by_signal(service, choice):
    before = set(service.programs())
    service.signal(signal.SIGHUP)
    if not service.options.is_impatient:
        until(lambda: not before & set(service.programs()), f"some of {before} are not replaced")


def roll_slowly(service, choice):
    service.configure("slow", choice.choice((-1, 0, 1)))
    roll(service, choice)
    service.configure()


def fail_to_roll(service, choice):
    """The old copies stay, but for those that were replaced before."""
    trouble, at = choice.choice(("dies", "dies", "weak", "half", "mute")), choice.random()
    worker = int(at * (service.copies + 1)) - 1
    if trouble == "weak" and service.options.probation_ms < 1000:
        trouble = "dies"
    if trouble in ("half", "mute") and not service.options.is_impatient:
        trouble = "dies"
    if trouble == "half" and service.options.ready != "listen":
        trouble = "mute"
    log.say(f"  the new copy {worker} is to fail: {trouble}")
    before = {row["copy"]: row["process"] for row in service.rows}
    service.losses.killed((), service.ports, most=service.copies if trouble == "weak" else 0)
    service.configure(trouble, worker)
    service.finish(service.call("--roll"), 1)
    service.configure()
    service.settle()
    after = {row["copy"]: row["process"] for row in service.rows}
    failed = max(worker, 0)
    queues = service.queues or COPIES_MOST + 1
    stay = [slot for slot in before if slot % queues == failed % queues
            or (not service.queues and slot > failed and trouble != "weak")]
    if any(after[slot] != before[slot] for slot in stay):
        raise Finding(f"a roll that failed with copy {failed} has replaced more than those before: {before}, {after}")


def scale(service, choice):
    copies = number_of_copies(service, choice)
    status, _ = service.finish(service.call("--scale", f"-n{copies}"), *can_be_late(service))
    service.copies = copies if status == 0 else None


def change_by_signal(service, choice):
    before, (number, by) = service.copies, choice.choice(((signal.SIGTTIN, 1), (signal.SIGTTOU, -1)))
    least, most = max(1, service.queues), COPIES_MOST
    if least <= before + by <= most:
        service.copies = None if service.options.is_impatient else before + by
        service.signal(number)


# ---- several at once ----

SMALL = [kill_copy, kill_copy, freeze_copy, burst, hang_up, one_more, one_less, ask_to_scale, ask_to_roll,
         kill_guardian, freeze_supervisor]
GREAT = [kill_supervisor, restart_supervisor, kill_stopping_supervisor]


def disturb(service, choice):
    """One thing after another while the first one is under way."""
    for _ in range(choice.randrange(1, 4)):
        pause(choice, 0.8)
        action = choice.choice(SMALL)
        log.say(f"  meanwhile: {action.__name__}")
        action(service, choice)


def disturbed(service, choice, *words):
    before, life = service.programs(), service.life
    asked = service.call(*words)
    disturb(service, choice)
    if choice.random() < 0.25:
        pause(choice, 0.5)
        action = choice.choice(GREAT)
        log.say(f"  meanwhile: {action.__name__}")
        action(service, choice)
    status, _ = service.finish(asked, 0, 1, *((69,) if service.life != life else ()))
    if status == 0 and words == ("--roll",):
        service.expect_new(before)


def disturbed_roll(service, choice):
    disturbed(service, choice, "--roll")


def disturbed_scale(service, choice):
    service.copies = None
    disturbed(service, choice, "--scale", f"-n{number_of_copies(service, choice)}")


def disturbed_start(service, choice):
    """A new life, to which things happen before it is ready."""
    choice.choice(GREAT)(service, choice)
    disturb(service, choice)
    if choice.random() < 0.3:
        kill_supervisor(service, choice)


def several(service, choice):
    disturb(service, choice)


def roll_with_frozen(service, choice):
    """A copy hangs, and its successor gets its clients, but for those that it had accepted."""
    programs, at = service.programs(), choice.random()
    program = programs[int(at * len(programs))]
    log.say(f"  stops {program}")
    death = service.losses.killed([program], service.ports, is_frozen=True)
    send(program, signal.SIGSTOP)
    burst(service, choice)
    service.finish(service.call("--roll"), *can_be_late(service))
    send(program, signal.SIGCONT)
    if is_gone(program):
        death.wait()
    else:
        service.losses.deaths.remove(death)


# ---- other listeners ----

def move_listener(service, choice):
    """The second port becomes another one. By listen, that is a fault; else the old port is given up."""
    others = PORTS[1:]
    old, new = service.ports[1], others[(others.index(service.ports[1]) + choice.choice((1, 2))) % len(others)]
    service.losses.clients.leave(old)
    service.ports = [service.ports[0], new]
    service.configure()
    if service.options.ready == "listen" and service.options.is_impatient:
        service.finish(service.call("--roll"), 1)
    elif service.options.ready != "listen":
        service.finish(service.call("--roll"), *can_be_late(service))
    if service.options.ready == "listen" or service.status()["roll_failure"]:
        service.ports = [service.ports[0], old]
        service.configure()
    service.losses.clients.tell(f"ask {service.ports[1]}")


ACTIONS = [
    (10, roll),
    (4, roll_by_signal),
    (3, roll_slowly),
    (8, fail_to_roll),
    (6, scale),
    (4, change_by_signal),
    (5, kill_copy),
    (1, kill_parent),
    (1, kill_guardian),
    (4, freeze_copy),
    (2, freeze_supervisor),
    (5, burst),
    (4, roll_with_frozen),
    (4, kill_supervisor),
    (4, restart_supervisor),
    (3, move_listener),
    (12, disturbed_roll),
    (8, disturbed_scale),
    (5, disturbed_start),
    (4, several),
]
