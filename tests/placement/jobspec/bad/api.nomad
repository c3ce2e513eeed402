{"Job": {"ID": "x", "TaskGroups": [{"Name": "g", "Count": "many", "Tasks": [{"Name": "t", "Templates": [{"ChangeMode": "reload"}], "VolumeMounts": [{"Volume": "x"}]}]}]}}
