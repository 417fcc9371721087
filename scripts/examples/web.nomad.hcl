# SPDX-License-Identifier: LGPL-2.1-or-later
# Nomad, on the host's network: an update starts the new allocations beside the old ones (a canary for
# each), and stops the old ones when the new ones are healthy.
#
# Do not use a "static" port, because Nomad would refuse the second allocation on the machine.
job "web" {
  group "web" {
    count = 2

    update {
      canary           = 2
      auto_promote     = true
      max_parallel     = 2
      health_check     = "task_states"
      min_healthy_time = "5s"
    }

    task "server" {
      driver = "docker"

      config {
        image        = "example/web"
        network_mode = "host"
        command      = "reuse-run"
        args         = ["-n", "1", "--stop-timeout=35s", "--", "server", "8080"]
      }

      # The default is 5s. The max_kill_timeout of the client, 30s by default, must allow this.
      kill_timeout = "40s"
    }
  }
}
