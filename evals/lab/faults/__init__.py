"""One file a fault. Each defines

    TRUTH (or truth(cluster, **variant) giving it)   what a report should say: {"verdict", "causes": [{"service", "namespace", "workload", "kind", "endpoint"}],
            "path": [[caller, callee, what], …] from the cause outwards, "impact": [text, …],
            "ruled_out": [service, …] (loud or near, and innocent)}
    prepare(cluster) what is there from the start, long before the fault; absent in most
    begin(cluster)   makes it happen, with the levers of cluster.Cluster; absent in a healthy recording
    end(cluster)     mends it; absent where the fault lasts to the end

Variants of place and strength: VARIANTS = {"name": {…}}; the dictionary of the chosen one is given as keywords to
truth, begin and end.
"""
